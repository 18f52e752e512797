import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../theme"

// The contact slot can fill this in.
Rectangle {
    id: hint

    property string phase: "ready"

    implicitHeight: told.implicitHeight + (Keyboard.visible ? 24 : 72)
    radius: Theme.radius
    color: hint.phase === "done" ? Theme.okTint : Theme.tint
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
            size: Keyboard.visible ? 44 : 96
            name: hint.phase === "done" ? "circle-check" : "credit-card"
            tone: hint.phase === "done" ? Theme.ok : Theme.accent
        }

        Label {
            Layout.fillWidth: true
            text: hint.phase === "done" ? qsTr("已从社保卡读取，可以取出卡了") : hint.phase === "reading" ? qsTr("正在读取社保卡，请不要取出") : qsTr("插入社保卡，自动填写")
            font.pixelSize: Keyboard.visible ? Theme.body : Theme.lead
            font.weight: Font.Medium
        }

        Busy {
            visible: hint.phase === "reading"
        }
    }
}
