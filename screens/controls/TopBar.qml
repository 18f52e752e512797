import QtQuick
import CitizensWindow
import "../theme"

Rectangle {
    id: bar

    implicitHeight: Theme.headerHeight
    color: Theme.header

    Rectangle {
        anchors.bottom: parent.bottom
        width: parent.width
        height: 6
        color: Theme.gold
    }

    Logo {
        id: logo
        x: Theme.margin
        y: 26
        size: 76
    }

    Column {
        id: clock
        anchors.right: parent.right
        anchors.rightMargin: Theme.margin
        anchors.verticalCenter: logo.verticalCenter

        Label {
            anchors.right: parent.right
            text: Chrome.time
            font.pixelSize: 44
            font.weight: Font.Medium
            color: Theme.headerInk
            lineHeight: 0.9
        }

        Label {
            anchors.right: parent.right
            text: Chrome.date
            font.pixelSize: 26
            color: Theme.headerInk
            lineHeight: 0.9
        }
    }

    Column {
        anchors.left: logo.right
        anchors.leftMargin: 26
        anchors.right: clock.left
        anchors.rightMargin: 24
        anchors.verticalCenter: logo.verticalCenter

        Label {
            text: qsTr("市民之窗")
            font.pixelSize: 46
            strong: true
            color: Theme.headerInk
            lineHeight: 0.9
        }

        Label {
            width: parent.width
            text: Chrome.terminalName === "" ? Chrome.siteName : Chrome.siteName + " · " + Chrome.terminalName
            font.pixelSize: 26
            color: Theme.headerInk
            lineHeight: 0.9
            wrapMode: Text.NoWrap
            elide: Text.ElideRight
        }
    }
}
