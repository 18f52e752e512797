import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import "../theme"

// A key. Never takes the focus from the field.
T.Button {
    id: key

    property string symbol: ""
    property string spoken: text
    property string look: "letter" // letter, function, primary
    property real share: 1
    property real size: text.length > 1 ? 34 : 44

    Layout.fillWidth: true
    Layout.fillHeight: true
    Layout.preferredWidth: share * 100
    focusPolicy: Qt.NoFocus
    Accessible.role: Accessible.Button
    Accessible.name: spoken
    Accessible.onPressAction: key.click()

    background: Rectangle {
        radius: 14
        color: key.look === "primary" ? (key.down ? Theme.primaryDown : Theme.primary)
            : key.down ? Theme.keyDown : key.look === "function" ? Theme.keyFunction : Theme.key
        border.width: 2
        border.color: key.look === "primary" ? Theme.primary : Theme.line
    }

    contentItem: Item {
        Symbol {
            visible: key.symbol !== ""
            anchors.centerIn: parent
            size: 52
            name: key.symbol
            tone: Theme.ink
        }

        Text {
            visible: key.symbol === ""
            anchors.centerIn: parent
            text: key.text
            textFormat: Text.PlainText
            font.pixelSize: key.size
            font.weight: key.look === "primary" ? Font.Bold : Font.Normal
            color: key.look === "primary" ? Theme.primaryInk : Theme.ink
        }
    }
}
