import QtQuick
import QtQuick.Templates as T
import CitizensWindow
import "../theme"

// 剩余 2:40 · 点此延长
T.Button {
    id: pill

    visible: Chrome.timeLeft !== ""
    implicitWidth: row.implicitWidth + 56
    implicitHeight: 84
    focusPolicy: Qt.TabFocus
    text: qsTr("点此延长")
    onClicked: Chrome.extend()
    Accessible.role: Accessible.Button
    Accessible.name: text
    Accessible.description: qsTr("剩余 %1").arg(Chrome.timeLeft)
    Accessible.onPressAction: pill.click()

    background: Rectangle {
        radius: height / 2
        color: pill.down ? Theme.tintDown : Theme.tint
        border.width: Theme.rule
        border.color: Theme.accent
    }

    contentItem: Item {
        Row {
            id: row
            anchors.centerIn: parent
            spacing: 12

            Symbol {
                anchors.verticalCenter: parent.verticalCenter
                size: 34
                name: "clock"
                tone: Theme.accent
            }

            Text {
                anchors.verticalCenter: parent.verticalCenter
                text: qsTr("剩余 %1 · %2").arg(Chrome.timeLeft).arg(pill.text)
                font.pixelSize: Math.min(Theme.caption, 30)
                color: Theme.accent
            }
        }
    }
}
