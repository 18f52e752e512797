import QtQuick
import CitizensWindow
import "../theme"

Veil {
    Accessible.role: Accessible.Dialog
    Accessible.name: qsTr("您还在办理吗？")

    Label {
        width: parent.width
        horizontalAlignment: Text.AlignHCenter
        text: qsTr("您还在办理吗？")
        font.pixelSize: Theme.display
        strong: true
    }

    Text {
        width: parent.width
        horizontalAlignment: Text.AlignHCenter
        text: Chrome.secondsLeft
        font.pixelSize: 150
        font.weight: Font.Bold
        color: Theme.accent
        Accessible.role: Accessible.StaticText
        Accessible.name: text
    }

    Label {
        width: parent.width
        horizontalAlignment: Text.AlignHCenter
        text: qsTr("时间到后会自动退出，并清除您填写的内容，保护您的个人信息。")
    }

    PushButton {
        width: parent.width
        height: 150
        look: "primary"
        size: Theme.tile
        symbol: "hand-finger"
        text: qsTr("还在办理")
        onClicked: Chrome.extend()
    }

    PushButton {
        width: parent.width
        text: qsTr("退出")
        symbol: "logout"
        onClicked: Chrome.finish()
    }
}
