import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

PageFrame {
    over: SendingModel.itemName
    title: qsTr("正在提交")
    showExit: false

    centred: true
    spacing: 40

    Symbol {
        Layout.alignment: Qt.AlignHCenter
        size: 220
        name: "send"
        tone: Theme.accent
    }

    Label {
        Layout.fillWidth: true
        horizontalAlignment: Text.AlignHCenter
        text: qsTr("正在安全保存您的申请，请稍等")
        font.pixelSize: Theme.tile
        strong: true
    }

    Busy {
        Layout.alignment: Qt.AlignHCenter
    }
}
