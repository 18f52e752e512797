import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

PageFrame {
    id: page

    over: PutCardModel.purpose
    title: PutCardModel.reading ? qsTr("正在读取身份证") : qsTr("请放上身份证")
    notice: PutCardModel.notice
    showBack: true

    centred: true

    GridLayout {
        Layout.fillWidth: true
        columns: Theme.portrait ? 1 : 2
        columnSpacing: 90
        rowSpacing: 40

        CardHint {
            Layout.alignment: Qt.AlignHCenter
            reading: PutCardModel.reading
            size: Theme.portrait ? 640 : 480
        }

        ColumnLayout {
            Layout.fillWidth: true
            spacing: 26

            Label {
                Layout.fillWidth: true
                horizontalAlignment: Theme.portrait ? Text.AlignHCenter : Text.AlignLeft
                text: PutCardModel.reading ? qsTr("请不要拿走，马上就好") : qsTr("把身份证平放在读卡区，\n停两秒不要动")
                font.pixelSize: Theme.portrait && !Display.large ? 54 : Theme.tile
                strong: true
                Accessible.name: text.replace("\n", "")
            }

            Busy {
                visible: PutCardModel.reading
                Layout.alignment: Theme.portrait ? Qt.AlignHCenter : Qt.AlignLeft
            }

            Label {
                Layout.fillWidth: true
                horizontalAlignment: Theme.portrait ? Text.AlignHCenter : Text.AlignLeft
                text: qsTr("只用来办这件事，办完或退出后本机不保存您的证件信息。")
                font.pixelSize: Theme.roomy
                color: Theme.inkSoft
            }
        }
    }
}
