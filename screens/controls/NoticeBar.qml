import QtQuick
import CitizensWindow
import "../theme"

// What happened, and what to do next.
Rectangle {
    id: bar

    required property NoticeModel notice

    visible: notice.present
    implicitHeight: visible ? words.implicitHeight + 40 : 0
    radius: Theme.radius
    color: Theme.toneTint(notice.tone)
    border.width: Theme.rule
    border.color: Theme.toneInk(notice.tone)

    Symbol {
        id: picture
        x: 26
        y: 24
        size: Math.round(Theme.body * 1.4)
        name: Theme.toneSymbol(bar.notice.tone)
        tone: Theme.toneInk(bar.notice.tone)
    }

    Column {
        id: words
        anchors.left: picture.right
        anchors.leftMargin: 20
        anchors.right: parent.right
        anchors.rightMargin: 24
        y: 20
        spacing: 2

        Label {
            width: parent.width
            text: bar.notice.title
            strong: true
            color: Theme.toneInk(bar.notice.tone)
            Accessible.role: Accessible.AlertMessage
        }

        Label {
            width: parent.width
            visible: text !== ""
            text: bar.notice.text
            font.pixelSize: Theme.caption + 2
        }
    }
}
