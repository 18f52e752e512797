pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow

// Digits, the words that addresses end in, and signs.
ColumnLayout {
    id: keys

    property real gap: 12

    spacing: gap

    Repeater {
        model: ["1234567890", "号室楼座栋巷街路村组", "，。、；：？！“”·", "-/#@().+_%"]

        RowLayout {
            id: row
            required property string modelData

            spacing: keys.gap

            Repeater {
                model: row.modelData.split("")

                KeyCap {
                    required property string modelData

                    text: modelData
                    onClicked: Keyboard.key(modelData)
                }
            }
        }
    }

    RowLayout {
        spacing: keys.gap

        KeyCap {
            share: 2
            look: "function"
            text: qsTr("返回拼音")
            onClicked: Keyboard.show("letters")
        }

        KeyCap {
            share: 4
            text: qsTr("空格")
            onClicked: Keyboard.space()
        }

        KeyCap {
            share: 1.5
            look: "function"
            symbol: "backspace"
            spoken: qsTr("删除")
            autoRepeat: true
            onClicked: Keyboard.backspace()
        }

        KeyCap {
            share: 2.4
            look: "primary"
            text: qsTr("确认")
            onClicked: Keyboard.confirm()
        }
    }
}
