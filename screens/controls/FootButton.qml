import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import "../theme"

T.Button {
    id: button

    property string symbol: ""
    property bool lit: false
    property bool toggles: false

    Layout.fillWidth: true
    Layout.fillHeight: true
    Layout.preferredWidth: 1
    focusPolicy: Qt.TabFocus
    Accessible.role: Accessible.Button
    Accessible.name: text
    Accessible.checkable: toggles
    Accessible.checked: lit
    Accessible.onPressAction: button.click()

    background: Rectangle {
        radius: Theme.radius
        color: button.lit ? Theme.primary : button.down ? Theme.tintDown : Theme.surface
    }

    contentItem: Item {
        Grid {
            anchors.centerIn: parent
            columns: Theme.portrait ? 1 : 2
            spacing: Theme.portrait ? 4 : 14
            horizontalItemAlignment: Grid.AlignHCenter
            verticalItemAlignment: Grid.AlignVCenter

            Symbol {
                size: Theme.portrait ? 54 : 46
                name: button.symbol
                tone: button.lit ? Theme.primaryInk : Theme.accent
            }

            Text {
                text: button.text
                font.pixelSize: Math.min(Theme.caption + 2, 34)
                color: button.lit ? Theme.primaryInk : Theme.ink
            }
        }
    }
}
