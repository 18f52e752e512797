pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import "../theme"

// What to do, one thing after the other.
Card {
    id: list

    property string title: ""
    property list<string> lines: []

    Layout.fillWidth: true
    implicitHeight: column.implicitHeight + 72

    ColumnLayout {
        id: column
        anchors.left: parent.left
        anchors.right: parent.right
        anchors.margins: 36
        anchors.verticalCenter: parent.verticalCenter
        spacing: Theme.portrait ? 26 : 16

        Label {
            Layout.fillWidth: true
            visible: text !== ""
            text: list.title
            font.pixelSize: Theme.lead
            strong: true
        }

        Repeater {
            model: list.lines

            RowLayout {
                id: line

                required property int index
                required property string modelData

                Layout.fillWidth: true
                spacing: 24

                Rectangle {
                    Layout.alignment: Qt.AlignTop
                    Layout.preferredWidth: 60
                    Layout.preferredHeight: 60
                    radius: 30
                    color: Theme.tint
                    border.width: Theme.contrast ? 2 : 0
                    border.color: Theme.line

                    Text {
                        anchors.centerIn: parent
                        text: line.index + 1
                        font.pixelSize: 34
                        font.weight: Font.Bold
                        color: Theme.accent
                    }
                }

                Label {
                    Layout.fillWidth: true
                    text: line.modelData
                    font.pixelSize: Theme.lead
                }
            }
        }
    }
}
