import QtQuick
import "../theme"

// Who is filling this in: read from the card, so nobody has to type it.
Rectangle {
    id: strip

    property string person: ""

    implicitHeight: Math.max(92, words.implicitHeight + 36)
    radius: 16
    color: Theme.tint
    border.width: Theme.rule
    border.color: Theme.line

    Symbol {
        id: picture
        x: 26
        anchors.verticalCenter: parent.verticalCenter
        size: Math.round(Theme.lead * 1.15)
        name: "user"
        tone: Theme.accent
    }

    Label {
        id: words
        anchors.left: picture.right
        anchors.leftMargin: 18
        anchors.right: told.visible ? told.left : parent.right
        anchors.rightMargin: 18
        anchors.verticalCenter: parent.verticalCenter
        text: strip.person
        fontSizeMode: Text.HorizontalFit
        minimumPixelSize: 26
        wrapMode: Text.NoWrap
        elide: Text.ElideRight
    }

    Row {
        id: told
        visible: strip.width > 860
        anchors.right: parent.right
        anchors.rightMargin: 26
        anchors.verticalCenter: parent.verticalCenter
        spacing: 12

        Symbol {
            anchors.verticalCenter: parent.verticalCenter
            size: Math.round(Theme.caption * 1.3)
            name: "shield-check"
            tone: Theme.ok
        }

        Label {
            anchors.verticalCenter: parent.verticalCenter
            text: qsTr("已从身份证读取")
            font.pixelSize: Theme.caption
            color: Theme.ok
        }
    }
}
