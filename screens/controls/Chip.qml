import QtQuick
import "../theme"

// A small fact: icon and words in a tone, never colour alone.
Rectangle {
    id: chip

    property string tone: "info"
    property string symbol: Theme.toneSymbol(tone)
    property string text: ""
    property real maximumWidth: 0

    implicitWidth: maximumWidth > 0 ? Math.min(row.implicitWidth + 40, maximumWidth) : row.implicitWidth + 40
    implicitHeight: Math.max(56, words.implicitHeight + 16)
    radius: 28
    color: Theme.toneTint(tone)
    border.width: Theme.contrast ? 2 : 0
    border.color: Theme.line

    Row {
        id: row
        anchors.centerIn: parent
        spacing: 10

        Symbol {
            id: picture
            anchors.verticalCenter: parent.verticalCenter
            name: chip.symbol
            size: Math.round(Theme.caption * 1.25)
            tone: Theme.toneInk(chip.tone)
        }

        Label {
            id: words
            anchors.verticalCenter: parent.verticalCenter
            width: chip.maximumWidth > 0 ? Math.min(implicitWidth, chip.maximumWidth - picture.width - 50) : implicitWidth
            text: chip.text
            font.pixelSize: Theme.caption
            color: Theme.toneInk(chip.tone)
        }
    }
}
