pragma ComponentBehavior: Bound
import QtQuick
import CitizensWindow
import "../theme"

// A sheet that comes out of the printer.
Item {
    id: hint

    property string phase: "printing"
    property real out: phase === "fetching" ? 0.06 : phase === "printing" ? 0.5 : phase === "done" ? 1 : phase === "failed" ? 0.03 : 0.3

    readonly property real unit: Theme.portrait ? 1.5 : 1 // 1: 460 px wide

    implicitWidth: 460 * unit
    implicitHeight: (Theme.portrait ? 430 : 330) * unit

    Behavior on out {
        enabled: Display.motion

        NumberAnimation { duration: 900; easing.type: Easing.OutCubic }
    }

    Item {
        y: 120 * hint.unit
        x: 70 * hint.unit
        width: 320 * hint.unit
        height: parent.height - 120 * hint.unit
        clip: true

        Rectangle {
            width: parent.width
            height: parent.height - 6
            y: -height * (1 - hint.out)
            color: Theme.contrast ? "#000000" : "#FFFFFF"
            border.width: 3
            border.color: hint.phase === "done" ? Theme.ok : Theme.border

            Column {
                x: 40 * hint.unit
                y: 50 * hint.unit
                spacing: 26 * hint.unit

                Repeater {
                    model: [160, 240, 240, 200]

                    Rectangle {
                        required property real modelData

                        width: modelData * hint.unit
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
        height: 130 * hint.unit
        radius: 26
        color: Theme.primary

        Rectangle {
            anchors.horizontalCenter: parent.horizontalCenter
            y: 100 * hint.unit
            width: 360 * hint.unit
            height: 14
            radius: 7
            color: Theme.contrast ? "#000000" : "#08284F"
        }

        Symbol {
            anchors.centerIn: parent
            anchors.verticalCenterOffset: -14
            size: 66 * hint.unit
            name: hint.phase === "done" ? "check" : hint.phase === "printing" || hint.phase === "fetching" ? "printer" : "alert-triangle"
            tone: Theme.primaryInk
        }
    }
}
