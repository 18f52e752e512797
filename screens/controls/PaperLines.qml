pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import "../theme"

// Papers to bring, or to leave at home.
Card {
    id: card

    property string title: ""
    property QtObject papers: null
    property bool spare: false

    Layout.fillWidth: true
    visible: !spare || lines.count > 0
    implicitHeight: column.implicitHeight + (Theme.portrait ? 68 : 48)
    color: spare ? Theme.okTint : Theme.surface
    border.width: spare && !Theme.contrast ? 0 : Theme.rule

    ColumnLayout {
        id: column
        anchors.left: parent.left
        anchors.right: parent.right
        anchors.margins: 36
        anchors.verticalCenter: parent.verticalCenter
        spacing: Theme.portrait ? 20 : 12

        Label {
            Layout.fillWidth: true
            text: card.title
            font.pixelSize: Theme.lead
            strong: true
            color: card.spare ? Theme.ok : Theme.ink
        }

        // lying, width is what there is
        GridLayout {
            Layout.fillWidth: true
            columns: Theme.portrait ? 1 : 2
            columnSpacing: 40
            rowSpacing: column.spacing
            uniformCellWidths: true

            Repeater {
                id: lines
                model: card.papers

                RowLayout {
                    id: line

                    required property string title
                    required property string hint

                    Layout.fillWidth: true
                    Layout.alignment: Qt.AlignTop
                    spacing: 20

                    Symbol {
                        Layout.alignment: Qt.AlignTop
                        size: Math.round(Theme.roomy * 1.35)
                        name: card.spare ? "circle-check" : "file-description"
                        tone: card.spare ? Theme.ok : Theme.accent
                    }

                    ColumnLayout {
                        Layout.fillWidth: true
                        spacing: 0

                        Label {
                            Layout.fillWidth: true
                            text: card.spare && line.hint !== "" ? line.title + "：" + line.hint : line.title
                            font.pixelSize: Theme.roomy
                            font.weight: card.spare ? Font.Normal : Font.Medium
                        }

                        Label {
                            Layout.fillWidth: true
                            visible: text !== ""
                            text: card.spare ? "" : line.hint
                            font.pixelSize: Theme.portrait ? Theme.roomy - 6 : Theme.caption
                            color: Theme.inkSoft
                        }
                    }
                }
            }
        }
    }
}
