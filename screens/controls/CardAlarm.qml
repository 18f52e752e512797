import QtQuick
import CitizensWindow
import "../theme"

Veil {
    id: alarm

    readonly property bool social: Chrome.leftCard === "social_card"
    readonly property string call: social ? qsTr("请取走您的社保卡") : qsTr("请取走您的身份证")

    edge: Theme.warn
    Accessible.role: Accessible.Dialog
    Accessible.name: call

    Symbol {
        anchors.horizontalCenter: parent.horizontalCenter
        size: 170
        name: alarm.social ? "credit-card" : "id"
        tone: Theme.warn
    }

    Label {
        width: parent.width
        horizontalAlignment: Text.AlignHCenter
        text: alarm.call
        font.pixelSize: Theme.display
        strong: true
        Accessible.role: Accessible.AlertMessage
    }

    Label {
        width: parent.width
        horizontalAlignment: Text.AlignHCenter
        text: alarm.social ? qsTr("您的办理已结束，个人信息已清除。社保卡还在插口里，请不要忘记带走。") : qsTr("您的办理已结束，个人信息已清除。身份证还在读卡区，请不要忘记带走。")
    }
}
