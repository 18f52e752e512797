pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow

ColumnLayout {
    id: keys

    property real gap: 12

    spacing: gap

    RowLayout {
        spacing: keys.gap

        Repeater {
            model: "qwertyuiop".split("")

            KeyCap {
                required property string modelData

                text: Keyboard.shift ? modelData.toUpperCase() : modelData
                onClicked: Keyboard.key(modelData)
            }
        }
    }

    RowLayout {
        spacing: keys.gap
        Layout.leftMargin: 50
        Layout.rightMargin: 50

        Repeater {
            model: "asdfghjkl".split("")

            KeyCap {
                required property string modelData

                text: Keyboard.shift ? modelData.toUpperCase() : modelData
                onClicked: Keyboard.key(modelData)
            }
        }
    }

    RowLayout {
        spacing: keys.gap

        KeyCap {
            share: 1.5
            look: "function"
            text: Keyboard.chinese ? qsTr("分词") : qsTr("大写")
            onClicked: Keyboard.chinese ? Keyboard.segment() : Keyboard.toggleShift()
        }

        Repeater {
            model: "zxcvbnm".split("")

            KeyCap {
                required property string modelData

                text: Keyboard.shift ? modelData.toUpperCase() : modelData
                onClicked: Keyboard.key(modelData)
            }
        }

        KeyCap {
            share: 1.5
            look: "function"
            symbol: "backspace"
            spoken: qsTr("删除")
            autoRepeat: true
            onClicked: Keyboard.backspace()
        }
    }

    RowLayout {
        spacing: keys.gap

        KeyCap {
            share: 1.6
            look: "function"
            text: qsTr("中/英")
            onClicked: Keyboard.toggleLanguage()
        }

        KeyCap {
            text: Keyboard.chinese ? "·" : "."
            onClicked: Keyboard.key(text)
        }

        KeyCap {
            share: 4.2
            text: qsTr("空格")
            onClicked: Keyboard.space()
        }

        KeyCap {
            text: Keyboard.chinese ? "，" : ","
            onClicked: Keyboard.key(text)
        }

        KeyCap {
            share: 2.4
            look: "primary"
            text: qsTr("确认")
            onClicked: Keyboard.confirm()
        }
    }
}
