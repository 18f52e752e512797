pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import "../theme"

// Content that may be longer than its place; then two buttons turn it a page at a time (many people do not swipe).
Item {
    id: area

    default property alias contents: column.data
    property alias spacing: column.spacing
    property bool centred: false
    property bool overflows: false
    property int widened: 0 // times, at this height
    readonly property real pageHeight: flick.height

    // The two buttons take width, and content of another width has another height: a plain binding can go to and fro
    // for ever. So it widens by itself a few times at one height, and after that only when there is plainly room.
    function judge(): void {
        if (height <= 0)
            return
        if (column.implicitHeight > height + 1) {
            overflows = true
        } else if (overflows && (widened < 4 || column.implicitHeight < height * 0.8)) {
            widened++
            overflows = false
        }
    }

    onHeightChanged: {
        widened = 0
        judge()
    }

    function reveal(item: Item): void {
        if (!item)
            return // its page went away before its turn came
        const place = item.mapToItem(flick.contentItem, 0, 0)
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
            // the eye takes a little above the middle for the middle
            y: area.centred ? Math.max(0, (flick.height - implicitHeight) * 0.42) : 0
            spacing: Theme.gutter
            onImplicitHeightChanged: area.judge()
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
