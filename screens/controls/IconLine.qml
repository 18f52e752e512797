import QtQuick
import QtQuick.Layouts
import "../theme"

RowLayout {
    id: line

    property string symbol: ""
    property string text: ""
    property real size: Theme.body

    Layout.fillWidth: true
    visible: text !== ""
    spacing: 18

    Symbol {
        Layout.alignment: Qt.AlignTop
        size: Math.round(line.size * 1.35)
        name: line.symbol
        tone: Theme.accent
    }

    Label {
        Layout.fillWidth: true
        text: line.text
        font.pixelSize: line.size
    }
}
