import QtQuick
import CitizensWindow
import "../theme"

// A sheet that comes out of the printer.
Item {
    id: hint

    property string phase: "printing"
    property real out: phase === "fetching" ? 0.06 : phase === "printing" ? 0.5 : phase === "done" ? 1 : 0.3

    implicitWidth: 460
    implicitHeight: Theme.portrait ? 460 : 330

    Behavior on out {
        enabled: Display.motion

        NumberAnimation { duration: 900; easing.type: Easing.OutCubic }
    }

    Item {
        y: 120
        x: 70
        width: 320
        height: parent.height - 120
        clip: true

        Rectangle {
            width: parent.width
            height: parent.height - 6
            y: -height * (1 - hint.out)
            color: Theme.contrast ? "#000000" : "#FFFFFF"
            border.width: 3
            border.color: hint.phase === "done" ? Theme.ok : Theme.border

            Column {
                x: 40
                y: 50
                spacing: 26

                Repeater {
                    model: [160, 240, 240, 200]

                    Rectangle {
                        required property int modelData

                        width: modelData
                        height: 12
                        radius: 6
                        color: Theme.line
                    }
                }
            }
        }
    }

    Rectangle {
        width: parent.width
        height: 130
        radius: 26
        color: Theme.primary

        Rectangle {
            anchors.horizontalCenter: parent.horizontalCenter
            y: 100
            width: 360
            height: 14
            radius: 7
            color: Theme.contrast ? "#000000" : "#08284F"
        }

        Symbol {
            anchors.centerIn: parent
            anchors.verticalCenterOffset: -14
            size: 66
            name: hint.phase === "done" ? "check" : hint.phase === "printing" || hint.phase === "fetching" ? "printer" : "alert-triangle"
            tone: Theme.primaryInk
        }
    }
}
