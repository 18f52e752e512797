import QtQuick
import QtQuick.Layouts
import "../theme"

// A friendly word on the side: no trouble, nothing to do at once.
Rectangle {
    id: tip

    property string symbol: Theme.toneSymbol(tone)
    property string tone: "info"
    property string text: ""

    Layout.fillWidth: true
    implicitHeight: Math.max(104, words.implicitHeight + 48)
    visible: text !== ""
    radius: Theme.radius
    color: Theme.toneTint(tone)
    border.width: Theme.contrast ? 3 : 0
    border.color: Theme.line

    Symbol {
        id: picture
        x: 32
        anchors.verticalCenter: parent.verticalCenter
        size: Math.round(Theme.lead * 1.4)
        name: tip.symbol
        tone: Theme.toneInk(tip.tone)
    }

    Label {
        id: words
        anchors.left: picture.right
        anchors.leftMargin: 22
        anchors.right: parent.right
        anchors.rightMargin: 28
        anchors.verticalCenter: parent.verticalCenter
        text: tip.text
        font.pixelSize: Theme.portrait ? Theme.roomy : Theme.body
        color: Theme.toneInk(tip.tone)
    }
}
