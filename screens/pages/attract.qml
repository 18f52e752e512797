import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

// Nobody is here: one invitation, one button; touching anywhere begins.
Item {
    id: page

    TapHandler {
        onTapped: HomeModel.start()
    }

    GridLayout {
        anchors.fill: parent
        anchors.margins: Theme.margin
        anchors.topMargin: Theme.margin + Theme.reachGap / 2
        columns: Theme.portrait ? 1 : 2
        columnSpacing: 80
        rowSpacing: 40

        CardHint {
            Layout.alignment: Qt.AlignHCenter | Qt.AlignVCenter
            size: Theme.portrait ? (Display.reach ? 420 : 600) : 560
        }

        ColumnLayout {
            Layout.fillWidth: true
            Layout.alignment: Qt.AlignVCenter
            spacing: 26

            Label {
                Layout.fillWidth: true
                horizontalAlignment: Theme.portrait ? Text.AlignHCenter : Text.AlignLeft
                text: qsTr("放上身份证，\n就能办事")
                font.pixelSize: Math.round(92 * (Display.large ? 1.15 : 1))
                lineHeight: 0.95
                strong: true
                Accessible.name: qsTr("放上身份证，就能办事")
            }

            Label {
                Layout.fillWidth: true
                horizontalAlignment: Theme.portrait ? Text.AlignHCenter : Text.AlignLeft
                text: qsTr("办事 · 打证明 · 查进度 · 咨询，24小时都可以")
                font.pixelSize: Theme.lead
                color: Theme.inkSoft
            }

            PushButton {
                Layout.fillWidth: true
                Layout.topMargin: 24
                Layout.preferredHeight: 176
                look: "primary"
                size: 60
                symbol: "hand-click"
                text: qsTr("开始")
                onClicked: HomeModel.start()
            }

            Label {
                Layout.fillWidth: true
                horizontalAlignment: Theme.portrait ? Text.AlignHCenter : Text.AlignLeft
                text: qsTr("点屏幕任何地方都可以开始")
                color: Theme.inkSoft
            }
        }
    }
}
