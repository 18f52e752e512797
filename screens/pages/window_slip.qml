pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

PageFrame {
    id: page

    over: WindowSlipModel.itemName
    title: qsTr("到窗口办理")
    notice: WindowSlipModel.reason
    showBack: true
    showExit: false
    showHome: true
    primaryText: qsTr("完成")
    primarySymbol: "check"
    onPrimary: Chrome.finish()

    Rectangle {
        Layout.fillWidth: true
        implicitHeight: told.implicitHeight + 48
        radius: Theme.radius
        color: WindowSlipModel.phase === "failed" ? Theme.warnTint : WindowSlipModel.phase === "done" ? Theme.okTint : Theme.tint
        border.width: Theme.contrast ? 3 : 0
        border.color: Theme.line

        RowLayout {
            id: told
            anchors.left: parent.left
            anchors.right: parent.right
            anchors.margins: 32
            anchors.verticalCenter: parent.verticalCenter
            spacing: 22

            Symbol {
                size: 64
                name: WindowSlipModel.phase === "failed" ? "alert-triangle" : "receipt"
                tone: WindowSlipModel.phase === "failed" ? Theme.warn : WindowSlipModel.phase === "done" ? Theme.ok : Theme.accent
            }

            Label {
                Layout.fillWidth: true
                text: WindowSlipModel.words
                font.pixelSize: Theme.lead
                font.weight: Font.Medium
            }

            Busy {
                visible: WindowSlipModel.phase === "printing"
            }
        }
    }

    Repeater {
        model: WindowSlipModel.windows

        Card {
            id: card

            required property string title
            required property string address
            required property string hours
            required property string phone

            Layout.fillWidth: true
            implicitHeight: facts.implicitHeight + 60

            ColumnLayout {
                id: facts
                anchors.left: parent.left
                anchors.right: parent.right
                anchors.margins: 36
                anchors.verticalCenter: parent.verticalCenter
                spacing: 14

                Label {
                    Layout.fillWidth: true
                    text: card.title
                    font.pixelSize: Theme.lead
                    strong: true
                }

                IconLine {
                    symbol: "map-pin"
                    text: card.address
                }

                IconLine {
                    symbol: "clock"
                    text: card.hours
                }

                IconLine {
                    symbol: "phone"
                    text: card.phone
                }
            }
        }
    }

    PushButton {
        visible: WindowSlipModel.phase === "failed"
        Layout.preferredWidth: 420
        symbol: "printer"
        text: qsTr("再打一次")
        onClicked: WindowSlipModel.printAgain()
    }
}
