import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

PageFrame {
    id: page

    over: qsTr("扫码")
    title: CodeModel.headline
    showHome: true
    primaryText: CodeModel.progress ? qsTr("看办理进度") : qsTr("完成")
    primarySymbol: CodeModel.progress ? "progress-check" : "check"
    onPrimary: CodeModel.progress ? CodeModel.openProgress() : Chrome.finish()

    Card {
        Layout.fillWidth: true
        implicitHeight: told.implicitHeight + 80
        border.color: Theme.toneInk(CodeModel.tone)
        border.width: 4

        ColumnLayout {
            id: told
            anchors.left: parent.left
            anchors.right: parent.right
            anchors.margins: 40
            anchors.verticalCenter: parent.verticalCenter
            spacing: 14

            RowLayout {
                spacing: 20

                Symbol {
                    size: Math.round(Theme.tile * 1.6)
                    name: CodeModel.symbol
                    tone: Theme.toneInk(CodeModel.tone)
                }

                Label {
                    Layout.fillWidth: true
                    text: CodeModel.verdict
                    color: Theme.toneInk(CodeModel.tone)
                    font.pixelSize: Theme.display
                    strong: true
                }
            }

            Label {
                Layout.fillWidth: true
                text: CodeModel.verdictText
                font.pixelSize: Theme.roomy
            }
        }
    }

    GridLayout {
        Layout.fillWidth: true
        columns: Theme.portrait ? 1 : 2
        columnSpacing: Theme.gutter
        rowSpacing: Theme.gutter

        Fact {
            visible: value !== ""
            symbol: "certificate"
            label: qsTr("证照名称")
            value: CodeModel.title
        }

        Fact {
            visible: value !== ""
            symbol: "user"
            label: qsTr("持证人")
            value: CodeModel.holder
        }

        Fact {
            symbol: "hash"
            label: CodeModel.title === "" ? qsTr("受理编号") : qsTr("证照编号")
            value: CodeModel.number
        }

        Fact {
            visible: value !== ""
            symbol: "calendar"
            label: qsTr("有效期至")
            value: CodeModel.validTo
        }
    }
}
