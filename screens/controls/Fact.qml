import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../theme"

// One fact of a guide.
Card {
    id: fact

    property string symbol: ""
    property string label: ""
    property string value: ""

    Layout.fillWidth: true
    Layout.fillHeight: true
    implicitHeight: Math.max(Theme.portrait ? 148 : 0, words.implicitHeight + 56)
    Accessible.role: Accessible.StaticText
    Accessible.name: label + "：" + value

    Symbol {
        id: picture
        x: 28
        anchors.verticalCenter: parent.verticalCenter
        size: Theme.portrait ? 72 : 64
        name: fact.symbol
        tone: Theme.accent
    }

    Column {
        id: words
        anchors.left: picture.right
        anchors.leftMargin: 22
        anchors.right: parent.right
        anchors.rightMargin: 20
        anchors.verticalCenter: parent.verticalCenter

        Label {
            width: parent.width
            text: fact.label
            spoken: false
            font.pixelSize: Theme.portrait && !Display.large ? 30 : Theme.caption
            color: Theme.inkSoft
        }

        Label {
            width: parent.width
            text: fact.value
            spoken: false
            font.pixelSize: Theme.portrait && !Display.large ? Theme.lead : Theme.body
            font.weight: Font.Bold
        }
    }
}
