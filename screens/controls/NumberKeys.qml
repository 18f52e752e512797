pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow

// A number pad as on a telephone.
GridLayout {
    id: keys

    property real gap: 12

    columns: 4
    columnSpacing: gap
    rowSpacing: gap
    uniformCellWidths: true
    uniformCellHeights: true

    Repeater {
        model: [
            { "text": "1", "row": 0, "column": 0 }, { "text": "2", "row": 0, "column": 1 }, { "text": "3", "row": 0, "column": 2 },
            { "text": "4", "row": 1, "column": 0 }, { "text": "5", "row": 1, "column": 1 }, { "text": "6", "row": 1, "column": 2 },
            { "text": "7", "row": 2, "column": 0 }, { "text": "8", "row": 2, "column": 1 }, { "text": "9", "row": 2, "column": 2 }
        ]

        KeyCap {
            required property var modelData

            Layout.row: modelData.row
            Layout.column: modelData.column
            text: modelData.text
            size: 52
            onClicked: Keyboard.key(text)
        }
    }

    KeyCap {
        Layout.row: 3
        Layout.column: 0
        Layout.columnSpan: Keyboard.page === "date" ? 3 : 2
        text: "0"
        size: 52
        onClicked: Keyboard.key(text)
    }

    KeyCap {
        visible: Keyboard.page !== "date"
        Layout.row: 3
        Layout.column: 2
        text: "-"
        size: 52
        onClicked: Keyboard.key(text)
    }

    KeyCap {
        Layout.row: 0
        Layout.column: 3
        look: "function"
        symbol: "backspace"
        spoken: qsTr("删除")
        autoRepeat: true
        onClicked: Keyboard.backspace()
    }

    KeyCap {
        Layout.row: 1
        Layout.column: 3
        look: "function"
        text: qsTr("清空")
        onClicked: Keyboard.empty()
    }

    KeyCap {
        Layout.row: 2
        Layout.column: 3
        Layout.rowSpan: 2
        look: "primary"
        text: qsTr("确认")
        onClicked: Keyboard.confirm()
    }
}
