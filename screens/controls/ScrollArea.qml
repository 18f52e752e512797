pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import "../theme"

// Content that may be longer than its place; then two buttons turn it a page at a time (many people do not swipe).
Item {
    id: area

    default property alias contents: column.data
    property alias spacing: column.spacing
    readonly property bool overflows: column.implicitHeight > height + 1
    readonly property real pageHeight: flick.height

    function reveal(item: Item): void {
        if (!item)
            return // its page went away before its turn came
        const place = item.mapToItem(column, 0, 0)
        const bottom = place.y + item.height
        if (bottom > flick.contentY + flick.height)
            flick.contentY = Math.min(bottom - flick.height, place.y)
        else if (place.y < flick.contentY)
            flick.contentY = place.y
    }

    Flickable {
        id: flick
        width: parent.width - (area.overflows ? turn.width + 16 : 0)
        height: parent.height
        contentHeight: column.implicitHeight
        boundsBehavior: Flickable.StopAtBounds
        interactive: area.overflows
        clip: area.overflows
        // tells the accessibility tree's reader where the content ends to be seen
        Accessible.role: Accessible.LayeredPane
        Accessible.name: qsTr("内容")

        ColumnLayout {
            id: column
            width: flick.width
            spacing: Theme.gutter
        }
    }

    ColumnLayout {
        id: turn
        visible: area.overflows
        anchors.right: parent.right
        width: 100
        height: parent.height
        spacing: 16

        TurnButton {
            symbol: "chevron-up"
            text: qsTr("上翻")
            enabled: flick.contentY > 0
            onClicked: flick.contentY = Math.max(0, flick.contentY - flick.height * 0.8)
        }

        TurnButton {
            symbol: "chevron-down"
            text: qsTr("下翻")
            enabled: flick.contentY < flick.contentHeight - flick.height - 1
            onClicked: flick.contentY = Math.min(flick.contentHeight - flick.height, flick.contentY + flick.height * 0.8)
        }
    }
}
