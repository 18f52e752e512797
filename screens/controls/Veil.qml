import QtQuick
import "../theme"

// Covers the page; nothing behind it can be touched.
Rectangle {
    id: veil

    default property alias contents: panel.data
    property color edge: Theme.accent

    color: Theme.shade

    MouseArea {
        anchors.fill: parent
        Accessible.ignored: true
    }

    Rectangle {
        anchors.centerIn: panel
        width: panel.width + 112
        height: panel.height + 112
        radius: 34
        color: Theme.surface
        border.width: 6
        border.color: veil.edge
    }

    Column {
        id: panel
        anchors.centerIn: parent
        width: Math.min(parent.width - 220, 820)
        spacing: 30
    }
}
