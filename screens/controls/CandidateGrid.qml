pragma ComponentBehavior: Bound
import QtQuick
import CitizensWindow

// All candidates, to be turned through.
Flickable {
    id: grid

    contentHeight: flow.implicitHeight
    boundsBehavior: Flickable.StopAtBounds
    clip: true
    Accessible.role: Accessible.LayeredPane
    Accessible.name: qsTr("全部候选")

    Flow {
        id: flow
        width: grid.width
        spacing: 8

        Repeater {
            model: Keyboard.expanded ? Keyboard.candidates : null

            Candidate {
                height: 92
                first: false
            }
        }
    }
}
