pragma ComponentBehavior: Bound
import QtQuick
import "../theme"

// How far a case has come: submitted, in hand, decided.
Item {
    id: way

    property list<string> stages: []
    property int stage: -1
    property string tone: "ok"
    readonly property bool troubled: tone === "warn" || tone === "error"
    readonly property real cell: width / Math.max(1, stages.length)

    implicitHeight: 52 + Theme.caption * 1.45

    Repeater {
        model: Math.max(0, way.stages.length - 1)

        Rectangle {
            required property int index

            x: way.cell * (index + 0.5) + 30
            y: 20
            width: way.cell - 60
            height: 4
            color: index < way.stage ? Theme.toneInk(way.tone) : Theme.line
        }
    }

    Repeater {
        model: way.stages

        Item {
            id: one

            required property int index
            required property string modelData
            readonly property bool reached: index <= way.stage

            x: way.cell * index
            width: way.cell
            height: way.height

            Rectangle {
                id: dot
                x: (parent.width - width) / 2
                width: 44
                height: 44
                radius: 22
                color: one.reached ? Theme.toneInk(way.tone) : Theme.surface
                border.width: one.reached ? 0 : 3
                border.color: Theme.line

                Symbol {
                    visible: one.reached
                    anchors.centerIn: parent
                    size: 30
                    name: one.index < way.stage || way.tone === "ok" ? "check" : way.troubled ? "exclamation-mark" : "dots"
                    tone: Theme.contrast ? "#000000" : "#FFFFFF"
                }
            }

            Label {
                anchors.horizontalCenter: parent.horizontalCenter
                y: 50
                text: one.modelData
                font.pixelSize: Theme.caption
                font.weight: one.index === way.stage ? Font.Bold : Font.Normal
                color: one.reached ? Theme.toneInk(way.tone) : Theme.inkSoft
            }
        }
    }
}
