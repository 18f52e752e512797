pragma ComponentBehavior: Bound
import QtQuick
import "../theme"

// Where in the journey: its stations, the done ones ticked.
Item {
    id: steps

    property list<string> words: []
    property int position: -1
    readonly property real cell: width / Math.max(1, words.length)

    implicitHeight: Theme.portrait ? 64 + Theme.caption * 1.45 + 6 : 60
    Accessible.role: Accessible.ProgressBar
    Accessible.name: position < 0 ? "" : qsTr("第%1步，共%2步：%3").arg(position + 1).arg(words.length).arg(words[position])
    Accessible.ignored: position < 0

    Repeater {
        model: Math.max(0, steps.words.length - 1)

        Rectangle {
            required property int index
            readonly property Item before: step.count > index + 1 ? step.itemAt(index) : null
            readonly property Item after: step.count > index + 1 ? step.itemAt(index + 1) : null

            x: Theme.portrait ? steps.cell * (index + 0.5) + 32 : before ? before.x + before.width + 16 : 0
            y: 26
            width: Theme.portrait ? steps.cell - 64 : after ? Math.max(0, after.x - 16 - x) : 0
            height: 4
            color: index < steps.position ? Theme.primary : Theme.line
        }
    }

    Repeater {
        id: step
        model: steps.words

        Item {
            id: one

            required property int index
            required property string modelData
            readonly property bool done: index < steps.position
            readonly property bool now: index === steps.position

            // upright: dot above its word; lying: beside it, to save height
            x: Theme.portrait ? steps.cell * index : steps.cell * (index + 0.5) - width / 2
            width: Theme.portrait ? steps.cell : dot.width + 14 + word.implicitWidth
            height: steps.height

            Rectangle {
                id: dot
                x: Theme.portrait ? (parent.width - width) / 2 : 0
                width: 56
                height: 56
                radius: 28
                color: one.done || one.now ? Theme.primary : Theme.surface
                border.width: one.done || one.now ? 0 : 3
                border.color: Theme.line

                Symbol {
                    visible: one.done
                    anchors.centerIn: parent
                    size: 36
                    name: "check"
                    tone: Theme.primaryInk
                }

                Text {
                    visible: !one.done
                    anchors.centerIn: parent
                    text: one.index + 1
                    font.pixelSize: 28
                    font.weight: Font.Bold
                    color: one.now ? Theme.primaryInk : Theme.inkSoft
                }
            }

            Text {
                id: word
                x: Theme.portrait ? (parent.width - width) / 2 : dot.width + 14
                y: Theme.portrait ? dot.height + 6 : (dot.height - height) / 2
                text: one.modelData
                font.pixelSize: Theme.caption
                font.weight: one.now ? Font.Bold : Font.Normal
                color: one.now ? Theme.accent : Theme.inkSoft
            }
        }
    }
}
