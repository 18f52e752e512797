pragma ComponentBehavior: Bound
import QtQuick

// Four panes of a window, one of them lit.
Rectangle {
    id: logo

    property real size: 76
    readonly property real pane: size * 0.29
    readonly property real gap: size * 0.085

    width: size
    height: size
    radius: size * 0.18
    color: "#FFFFFF"

    Grid {
        anchors.centerIn: parent
        columns: 2
        spacing: logo.gap

        Repeater {
            model: ["#0B4EA2", "#2F7BD8", "#E0A526", "#0B4EA2"]

            Rectangle {
                required property string modelData

                width: logo.pane
                height: logo.pane
                radius: logo.pane * 0.22
                color: modelData
            }
        }
    }
}
