import QtQuick
import "../theme"

// Read from the card or a licence; shown, not to be changed.
Rectangle {
    id: box

    property string label: ""
    property string value: ""
    property string chip: ""
    readonly property bool stacked: words.naturalWidth + chipRow.implicitWidth + 80 > width

    implicitHeight: Math.max(92, words.implicitHeight + (stacked && chip !== "" ? chipRow.implicitHeight + 8 : 0) + 36)
    radius: 16
    color: Theme.tint
    border.width: Theme.rule
    border.color: Theme.line
    Accessible.role: Accessible.EditableText
    Accessible.name: label
    Accessible.readOnly: true
    Accessible.description: chip

    TextMetrics {
        id: metrics
        font: words.font
        text: box.value
    }

    Label {
        id: words
        readonly property real naturalWidth: metrics.advanceWidth
        x: 26
        y: box.stacked ? 18 : (box.height - height) / 2
        width: box.stacked ? box.width - 52 : implicitWidth
        text: box.value
        font.pixelSize: Theme.lead
    }

    Row {
        id: chipRow
        visible: box.chip !== ""
        spacing: 12
        x: box.stacked ? 26 : box.width - width - 26
        y: box.stacked ? words.y + words.height + 8 : (box.height - height) / 2

        Symbol {
            anchors.verticalCenter: parent.verticalCenter
            size: Math.round(Theme.caption * 1.3)
            name: "shield-check"
            tone: Theme.ok
        }

        Text {
            anchors.verticalCenter: parent.verticalCenter
            text: box.chip
            font.pixelSize: Theme.caption
            color: Theme.ok
        }
    }
}
