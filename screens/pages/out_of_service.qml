pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

Item {
    id: page

    ColumnLayout {
        anchors.centerIn: parent
        anchors.verticalCenterOffset: Theme.reachGap / 3
        width: Math.min(parent.width - 2 * Theme.margin, 1100)
        spacing: 36

        Symbol {
            Layout.alignment: Qt.AlignHCenter
            size: 200
            name: "tool"
            tone: Theme.warn
        }

        Label {
            Layout.fillWidth: true
            horizontalAlignment: Text.AlignHCenter
            text: qsTr("这台机器暂停服务")
            font.pixelSize: Math.round(72 * (Display.large ? 1.15 : 1))
            strong: true
            Accessible.role: Accessible.Heading
        }

        Label {
            Layout.fillWidth: true
            horizontalAlignment: Text.AlignHCenter
            text: qsTr("维护人员已收到通知，对不起让您多走一趟。")
            font.pixelSize: Theme.lead
            color: Theme.inkSoft
        }

        Card {
            Layout.fillWidth: true
            visible: OutOfServiceModel.elsewhere !== ""
            implicitHeight: near.implicitHeight + 64

            IconLine {
                id: near
                anchors.left: parent.left
                anchors.right: parent.right
                anchors.margins: 36
                anchors.verticalCenter: parent.verticalCenter
                symbol: "map-pin"
                text: qsTr("最近能用的机器：%1").arg(OutOfServiceModel.elsewhere)
            }
        }

        Flow {
            Layout.fillWidth: true
            spacing: 14

            Repeater {
                model: OutOfServiceModel.reasons

                Chip {
                    required property string words
                    required tone
                    required symbol

                    text: words
                    maximumWidth: page.width - 2 * Theme.margin
                }
            }
        }
    }
}
