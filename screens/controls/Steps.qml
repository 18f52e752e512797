pragma ComponentBehavior: Bound
import QtQuick
import "../theme"

// Where in the journey: five steps, the done ones ticked.
Item {
    id: steps

    property string current: ""
    readonly property var names: ["card", "fill", "materials", "check", "receipt"]
    readonly property var words: [qsTr("读取身份证"), qsTr("填写信息"), qsTr("拍摄材料"), qsTr("核对确认"), qsTr("打印回执")]
    readonly property int position: names.indexOf(current)
    readonly property real cell: width / 5

    implicitHeight: 64 + Theme.caption * 1.45 + 6
    Accessible.role: Accessible.ProgressBar
    Accessible.name: qsTr("第%1步，共5步：%2").arg(position + 1).arg(words[Math.max(0, position)])

    Repeater {
        model: 4

        Rectangle {
            required property int index

            x: steps.cell * (index + 0.5) + 32
            y: 26
            width: steps.cell - 64
            height: 4
            color: index < steps.position ? Theme.primary : Theme.line
        }
    }

    Repeater {
        model: 5

        Item {
            id: step

            required property int index
            readonly property bool done: index < steps.position
            readonly property bool now: index === steps.position

            x: steps.cell * index
            width: steps.cell
            height: steps.height

            Rectangle {
                id: dot
                anchors.horizontalCenter: parent.horizontalCenter
                width: 56
                height: 56
                radius: 28
                color: step.done || step.now ? Theme.primary : Theme.surface
                border.width: step.done || step.now ? 0 : 3
                border.color: Theme.line

                Symbol {
                    visible: step.done
                    anchors.centerIn: parent
                    size: 36
                    name: "check"
                    tone: Theme.primaryInk
                }

                Text {
                    visible: !step.done
                    anchors.centerIn: parent
                    text: step.index + 1
                    font.pixelSize: 28
                    font.weight: Font.Bold
                    color: step.now ? Theme.primaryInk : Theme.inkSoft
                }
            }

            Text {
                anchors.top: dot.bottom
                anchors.topMargin: 6
                anchors.horizontalCenter: parent.horizontalCenter
                text: steps.words[step.index]
                font.pixelSize: Theme.caption
                font.weight: step.now ? Font.Bold : Font.Normal
                color: step.now ? Theme.accent : Theme.inkSoft
            }
        }
    }
}
