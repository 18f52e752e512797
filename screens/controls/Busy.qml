pragma ComponentBehavior: Bound
import QtQuick
import CitizensWindow
import "../theme"

// Three dots that take turns: something is being done.
Row {
    id: busy

    property int turn: 0

    spacing: 22

    Timer {
        running: busy.visible && Display.motion
        interval: 400
        repeat: true
        onTriggered: busy.turn = (busy.turn + 1) % 3
    }

    Repeater {
        model: 3

        Rectangle {
            required property int index

            width: 26
            height: 26
            radius: 13
            color: index === busy.turn ? Theme.accent : Theme.line
        }
    }
}
