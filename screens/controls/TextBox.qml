pragma ComponentBehavior: Bound
import QtQuick
import CitizensWindow
import "../theme"

// One line of text. The field keeps what is being typed; a snapshot's value is taken over when nobody is typing here.
Rectangle {
    id: box

    property string label: ""
    property string value: ""
    property string placeholder: ""
    property string keys: "text"
    property int maximumLength: 200
    property bool wrong: false
    readonly property bool active: input.activeFocus
    readonly property alias text: input.text

    property string told: "" // what the services have heard

    signal edited(string text)
    signal entered

    function adopt(): void {
        told = value
        if (input.text !== value)
            input.text = value
    }

    function tell(text: string): void {
        if (text === told)
            return
        told = text
        edited(text)
    }

    function take(): void {
        input.forceActiveFocus()
    }

    implicitHeight: Math.max(92, Theme.lead * 1.45 + 36)
    radius: 16
    color: Theme.surface
    border.width: input.activeFocus ? 5 : wrong ? 4 : Theme.rule
    border.color: wrong ? Theme.error : input.activeFocus ? Theme.accent : Theme.border
    // while somebody writes here, snapshots are late by nature: the field knows best
    onValueChanged: if (!input.activeFocus) adopt()
    Component.onCompleted: adopt()

    TapHandler {
        onTapped: input.forceActiveFocus()
    }

    Text {
        anchors.fill: input
        visible: input.text === "" && input.preeditText === ""
        verticalAlignment: Text.AlignVCenter
        text: box.placeholder
        font.pixelSize: Theme.body
        color: Theme.inkSoft
        elide: Text.ElideRight
    }

    TextInput {
        id: input
        anchors.fill: parent
        anchors.leftMargin: 26
        anchors.rightMargin: 26
        verticalAlignment: TextInput.AlignVCenter
        clip: true
        font.pixelSize: Theme.lead
        color: Theme.ink
        selectionColor: Theme.primary
        selectedTextColor: Theme.primaryInk
        maximumLength: box.maximumLength
        inputMethodHints: Qt.ImhNoPredictiveText | Qt.ImhSensitiveData
        activeFocusOnTab: true
        Accessible.role: Accessible.EditableText
        Accessible.name: box.label
        Accessible.editable: true
        Accessible.focusable: true
        Accessible.onPressAction: input.forceActiveFocus()

        onActiveFocusChanged: {
            if (activeFocus)
                Keyboard.attach(box.keys)
            else
                Keyboard.detach()
            box.entered()
        }
        onTextChanged: {
            if (box.keys === "date") {
                const dated = box.asDate(text)
                if (dated !== text) {
                    text = dated
                    cursorPosition = dated.length
                    return
                }
            }
            box.tell(text)
        }
        Keys.onPressed: event => event.accepted = Keyboard.hardware(event.key, event.text, event.modifiers)

        cursorDelegate: Rectangle {
            id: caret
            visible: input.activeFocus
            width: 4
            color: Theme.accent

            SequentialAnimation on opacity {
                running: caret.visible && Display.motion
                loops: Animation.Infinite

                PropertyAction { value: 1 }
                PauseAnimation { duration: 600 }
                PropertyAction { value: 0 }
                PauseAnimation { duration: 400 }
            }
        }
    }

    // 1976-03-15 from the digits alone
    function asDate(typed: string): string {
        const digits = typed.replace(/[^0-9]/g, "").slice(0, 8)
        return [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6)].filter(part => part !== "").join("-")
    }
}
