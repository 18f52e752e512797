import QtQuick
import "../theme"

Veil {
    edge: Theme.warn
    Accessible.role: Accessible.Dialog
    Accessible.name: qsTr("请取走您的身份证")

    Symbol {
        anchors.horizontalCenter: parent.horizontalCenter
        size: 170
        name: "id"
        tone: Theme.warn
    }

    Label {
        width: parent.width
        horizontalAlignment: Text.AlignHCenter
        text: qsTr("请取走您的身份证")
        font.pixelSize: Theme.display
        strong: true
        Accessible.role: Accessible.AlertMessage
    }

    Label {
        width: parent.width
        horizontalAlignment: Text.AlignHCenter
        text: qsTr("您的办理已结束，个人信息已清除。身份证还在读卡区，请不要忘记带走。")
    }
}
