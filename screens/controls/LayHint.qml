pragma ComponentBehavior: Bound
import QtQuick
import CitizensWindow
import "../theme"

// Before the camera shows anything: a sheet that is laid down between four corners.
Item {
    id: hint

    property real lift: 0

    implicitWidth: 560
    implicitHeight: 620

    // the four corners of the mat
    Repeater {
        model: 4

        Item {
            id: corner

            required property int index
            readonly property bool far: index % 2 === 1
            readonly property bool low: index > 1

            x: far ? hint.width - 70 : 0
            y: low ? hint.height - 70 : 0
            width: 70
            height: 70

            Rectangle {
                width: 70
                height: 8
                radius: 4
                y: corner.low ? 62 : 0
                color: Theme.accent
            }

            Rectangle {
                width: 8
                height: 70
                radius: 4
                x: corner.far ? 62 : 0
                color: Theme.accent
            }
        }
    }

    Rectangle {
        id: sheet
        anchors.horizontalCenter: parent.horizontalCenter
        y: (hint.height - height) / 2 - hint.lift
        width: hint.width - 150
        height: hint.height - 150
        radius: 12
        color: Theme.contrast ? "#000000" : "#FFFFFF"
        border.width: 4
        border.color: Theme.accent

        Column {
            x: 44
            y: 54
            spacing: 30

            Repeater {
                model: [0.5, 0.78, 0.78, 0.66, 0.78, 0.4]

                Rectangle {
                    required property real modelData

                    width: sheet.width * modelData
                    height: 16
                    radius: 8
                    color: Theme.line
                }
            }
        }
    }

    SequentialAnimation {
        running: Display.motion && hint.visible
        loops: Animation.Infinite

        NumberAnimation { target: hint; property: "lift"; from: 90; to: 0; duration: 900; easing.type: Easing.OutCubic }
        PauseAnimation { duration: 1600 }
    }
}
