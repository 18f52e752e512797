import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import "../theme"

// Turns a long page, for all who do not swipe.
T.Button {
    id: button

    property string symbol: ""

    Layout.fillWidth: true
    Layout.fillHeight: true
    focusPolicy: Qt.NoFocus
    Accessible.role: Accessible.Button
    Accessible.name: text
    Accessible.onPressAction: button.click()

    background: Rectangle {
        radius: 18
        color: button.down ? Theme.tintDown : button.enabled ? Theme.tint : Theme.keyFunction
        border.width: Theme.rule
        border.color: button.enabled ? Theme.accent : Theme.line
    }

    contentItem: Item {
        Column {
            anchors.centerIn: parent

            Symbol {
                anchors.horizontalCenter: parent.horizontalCenter
                size: 52
                name: button.symbol
                tone: button.enabled ? Theme.accent : Theme.inkSoft
            }

            Text {
                text: button.text
                font.pixelSize: Math.min(Theme.caption + 2, 34)
                color: button.enabled ? Theme.accent : Theme.inkSoft
            }
        }
    }
}
