import QtQuick
import "../theme"

Rectangle {
    radius: Theme.radius
    color: Theme.surface
    border.width: Theme.rule
    border.color: Theme.line
}
