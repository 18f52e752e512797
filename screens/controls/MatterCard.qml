import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../theme"

// One case or one licence.
Card {
    id: card

    required property string key
    required property string title
    required property string chip
    required property string tone
    required property string line
    required property string more
    required property string printable

    Layout.fillWidth: true
    implicitHeight: grid.implicitHeight + 56

    RowLayout {
        id: grid
        anchors.left: parent.left
        anchors.right: parent.right
        anchors.margins: 32
        anchors.verticalCenter: parent.verticalCenter
        spacing: Theme.gutter

        ColumnLayout {
            Layout.fillWidth: true
            spacing: 8

            Flow {
                Layout.fillWidth: true
                spacing: 18

                Label {
                    width: Math.min(implicitWidth, parent.width)
                    text: card.title
                    font.pixelSize: Theme.lead
                    strong: true
                }

                Chip {
                    tone: card.tone
                    text: card.chip
                }
            }

            Label {
                Layout.fillWidth: true
                text: card.line
                font.pixelSize: Theme.caption
                color: Theme.inkSoft
            }

            Label {
                Layout.fillWidth: true
                text: card.more
                font.pixelSize: Theme.caption
                color: Theme.inkSoft
            }
        }

        PushButton {
            visible: card.printable !== ""
            look: "primary"
            symbol: "printer"
            text: qsTr("打印")
            Accessible.description: card.title
            onClicked: MySpaceModel.printLicence(card.printable)
        }
    }
}
