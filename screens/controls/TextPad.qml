import QtQuick
import CitizensWindow
import "../theme"

// Several lines of text.
Rectangle {
    id: box

    property string label: ""
    property string value: ""
    property string placeholder: ""
    property int maximumLength: 500
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

    implicitHeight: Math.max(Theme.portrait ? 320 : 240, input.contentHeight + 90)
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
        text: box.placeholder
        font.pixelSize: Theme.body
        color: Theme.inkSoft
        wrapMode: Text.Wrap
    }

    TextEdit {
        id: input
        anchors.fill: parent
        anchors.margins: 26
        anchors.bottomMargin: 60
        font.pixelSize: Theme.lead
        color: Theme.ink
        selectionColor: Theme.primary
        selectedTextColor: Theme.primaryInk
        wrapMode: TextEdit.Wrap
        textFormat: TextEdit.PlainText
        inputMethodHints: Qt.ImhNoPredictiveText | Qt.ImhSensitiveData
        activeFocusOnTab: true
        Accessible.role: Accessible.EditableText
        Accessible.name: box.label
        Accessible.editable: true
        Accessible.multiLine: true
        Accessible.focusable: true
        Accessible.onPressAction: input.forceActiveFocus()

        onActiveFocusChanged: {
            if (activeFocus)
                Keyboard.attach("text")
            else
                Keyboard.detach()
            box.entered()
        }
        onTextChanged: {
            if (text.length > box.maximumLength) {
                text = text.slice(0, box.maximumLength)
                cursorPosition = text.length
            } else {
                box.tell(text)
            }
        }
        Keys.onPressed: event => event.accepted = Keyboard.hardware(event.key, event.text, event.modifiers)
    }

    Text {
        anchors.right: parent.right
        anchors.bottom: parent.bottom
        anchors.margins: 16
        text: input.length + " / " + box.maximumLength
        font.pixelSize: 26
        color: Theme.inkSoft
    }
}
