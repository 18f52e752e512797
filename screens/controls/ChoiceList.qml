pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import CitizensWindow
import "../theme"

// One of several: two big buttons beside each other, or a list.
GridLayout {
    id: list

    property string label: ""
    property var options: []
    property string value: ""
    property bool wrong: false
    readonly property bool pair: options.length === 2 && options[0].label.length < 5 && options[1].label.length < 5

    signal chosen(string value)

    // lying, a long list would hide its end
    columns: pair || !Theme.portrait && !Keyboard.visible && options.length > 2 ? 2 : 1
    columnSpacing: Theme.gutter
    rowSpacing: Theme.portrait ? 22 : 18
    uniformCellWidths: true

    Repeater {
        model: list.options

        T.Button {
            id: option

            required property var modelData
            readonly property bool now: list.value === modelData.value

            Layout.fillWidth: true
            implicitHeight: list.pair ? (Theme.portrait ? 280 : 200) : Math.max(Theme.portrait ? 136 : 108, words.implicitHeight + 40)
            focusPolicy: Qt.TabFocus
            text: modelData.label
            onClicked: list.chosen(modelData.value)
            Accessible.role: Accessible.RadioButton
            Accessible.name: text
            Accessible.description: list.label
            Accessible.checkable: true
            Accessible.checked: now
            Accessible.onPressAction: option.click()

            background: Rectangle {
                radius: Theme.radius
                color: option.now ? Theme.primary : option.down ? Theme.tintDown : Theme.surface
                border.width: option.visualFocus ? 5 : list.wrong ? 4 : Theme.rule
                border.color: list.wrong ? Theme.error : option.now ? Theme.primary : Theme.border
            }

            contentItem: Item {
                Rectangle {
                    id: mark
                    x: list.pair ? (parent.width - width - words.implicitWidth - 24) / 2 : 34
                    anchors.verticalCenter: parent.verticalCenter
                    width: list.pair ? 64 : 52
                    height: width
                    radius: width / 2
                    color: option.now ? Theme.primaryInk : Theme.surface
                    border.width: 4
                    border.color: option.now ? Theme.primaryInk : Theme.border

                    Symbol {
                        visible: option.now
                        anchors.centerIn: parent
                        size: mark.width - 12
                        name: "check"
                        tone: Theme.primary
                    }
                }

                Text {
                    id: words
                    anchors.left: mark.right
                    anchors.leftMargin: 24
                    anchors.verticalCenter: parent.verticalCenter
                    width: list.pair ? implicitWidth : option.width - 144
                    text: option.text
                    textFormat: Text.PlainText
                    wrapMode: Text.Wrap
                    font.pixelSize: list.pair ? Math.round(52 * (Display.large ? 1.15 : 1)) : Theme.portrait && !Display.large ? Theme.tile : Theme.lead
                    font.weight: option.now ? Font.Bold : Font.Normal
                    color: option.now ? Theme.primaryInk : Theme.ink
                }
            }
        }
    }
}
