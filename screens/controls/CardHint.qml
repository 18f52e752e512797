pragma ComponentBehavior: Bound
import QtQuick
import CitizensWindow
import "../theme"

// A card that lies down on the reader.
Item {
    id: hint

    property bool reading: false
    property real size: 420
    property real lift: Display.motion && !reading ? 90 : 18

    implicitWidth: size
    implicitHeight: size * 0.78

    Rectangle {
        id: reader
        anchors.bottom: parent.bottom
        width: parent.width
        height: hint.size * 0.34
        radius: 34
        color: Theme.contrast ? "#000000" : "#CFDBEA"
        border.width: Theme.contrast ? 3 : 0
        border.color: Theme.line

        Rectangle {
            anchors.centerIn: parent
            width: parent.width * 0.74
            height: parent.height * 0.62
            radius: 20
            color: hint.reading ? Theme.okTint : Theme.surface
            border.width: 4
            border.color: hint.reading ? Theme.ok : Theme.accent
        }
    }

    Rectangle {
        id: card
        anchors.horizontalCenter: parent.horizontalCenter
        width: hint.size * 0.62
        height: width * 0.63
        y: reader.y + reader.height / 2 - height + 24 - (hint.reading ? 0 : hint.lift)
        radius: 20
        color: Theme.contrast ? "#000000" : "#FFFFFF"
        border.width: 4
        border.color: Theme.accent

        Rectangle {
            x: parent.width * 0.64
            y: parent.height * 0.2
            width: parent.width * 0.26
            height: parent.height * 0.5
            radius: 10
            color: Theme.tint
            border.width: Theme.contrast ? 2 : 0
            border.color: Theme.line

            Symbol {
                anchors.centerIn: parent
                size: parent.width * 0.8
                name: "user"
                tone: Theme.accent
            }
        }

        Column {
            x: parent.width * 0.1
            y: parent.height * 0.24
            spacing: parent.height * 0.1

            Repeater {
                model: [0.44, 0.32, 0.44]

                Rectangle {
                    required property real modelData

                    width: card.width * modelData
                    height: card.height * 0.075
                    radius: height / 2
                    color: Theme.contrast ? "#FFFFFF" : "#9DB4D3"
                }
            }
        }

        Rectangle {
            x: parent.width * 0.1
            y: parent.height * 0.8
            width: parent.width * 0.8
            height: card.height * 0.075
            radius: height / 2
            color: Theme.accent
        }
    }

    SequentialAnimation {
        running: Display.motion && !hint.reading && hint.visible
        loops: Animation.Infinite

        NumberAnimation { target: hint; property: "lift"; from: 120; to: 6; duration: 900; easing.type: Easing.InOutQuad }
        PauseAnimation { duration: 1100 }
        NumberAnimation { target: hint; property: "lift"; from: 6; to: 120; duration: 600; easing.type: Easing.InOutQuad }
        PauseAnimation { duration: 300 }
    }
}
