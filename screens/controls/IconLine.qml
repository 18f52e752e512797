import QtQuick
import QtQuick.Layouts
import "../theme"

RowLayout {
    id: line

    property string symbol: ""
    property string text: ""

    Layout.fillWidth: true
    visible: text !== ""
    spacing: 18

    Symbol {
        Layout.alignment: Qt.AlignTop
        size: Math.round(Theme.body * 1.35)
        name: line.symbol
        tone: Theme.accent
    }

    Label {
        Layout.fillWidth: true
        text: line.text
    }
}
