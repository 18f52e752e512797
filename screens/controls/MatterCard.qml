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
    required property list<string> stages
    required property int stage
    required property string correct
    required property bool wanted
    readonly property real small: Theme.portrait && !Display.large ? 30 : Theme.caption

    Layout.fillWidth: true
    implicitHeight: column.implicitHeight + (Theme.portrait ? 72 : 56)

    ColumnLayout {
        id: column
        anchors.left: parent.left
        anchors.right: parent.right
        anchors.margins: Theme.portrait ? 36 : 32
        anchors.verticalCenter: parent.verticalCenter
        spacing: 26

        RowLayout {
            Layout.fillWidth: true
            spacing: Theme.gutter

            ColumnLayout {
                Layout.fillWidth: true
                spacing: 10

                Flow {
                    Layout.fillWidth: true
                    spacing: 18

                    Label {
                        width: Math.min(implicitWidth, parent.width)
                        text: card.title
                        font.pixelSize: Theme.portrait && !Display.large ? Theme.tile : Theme.lead
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
                    font.pixelSize: card.small
                    color: Theme.inkSoft
                }

                Label {
                    Layout.fillWidth: true
                    text: card.more
                    font.pixelSize: card.wanted ? Theme.body : card.small
                    font.weight: card.wanted ? Font.Medium : Font.Normal
                    color: card.wanted ? Theme.ink : Theme.inkSoft
                }
            }

            PushButton {
                visible: card.printable !== ""
                Layout.preferredHeight: Theme.portrait ? 120 : Theme.button
                look: "primary"
                symbol: "printer"
                text: qsTr("打印")
                Accessible.description: card.title
                onClicked: MySpaceModel.printLicence(card.printable)
            }
        }

        PushButton {
            visible: card.correct !== ""
            Layout.fillWidth: true
            Layout.preferredHeight: Theme.portrait ? 132 : Theme.button
            look: "primary"
            symbol: "pencil"
            text: qsTr("现在补交")
            Accessible.description: card.title
            onClicked: MySpaceModel.correct(card.correct)
        }

        CaseWay {
            visible: card.stage >= 0 && Theme.portrait && MySpaceModel.count < 4
            Layout.fillWidth: true
            stages: card.stages
            stage: card.stage
            tone: card.tone
        }
    }
}
