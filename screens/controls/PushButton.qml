import QtQuick
import QtQuick.Templates as T
import "../theme"

// A button. Takes no focus when touched: the field being filled keeps it, and the keyboard stays.
T.Button {
    id: button

    property string look: "outline" // primary, outline, quiet, white
    property string symbol: ""
    property string more: "" // spoken and shown after the label
    property real size: Theme.lead
    property bool symbolLast: false

    readonly property color paint: !enabled ? Theme.keyFunction
        : look === "primary" ? (down ? Theme.primaryDown : Theme.primary)
        : look === "white" ? (down ? Theme.tintDown : Theme.contrast ? "#000000" : "#FFFFFF")
        : look === "quiet" ? (down ? Theme.tintDown : Theme.tint)
        : (down ? Theme.tintDown : Theme.surface)
    readonly property color letters: !enabled ? Theme.inkSoft : look === "primary" ? Theme.primaryInk : Theme.accent

    implicitHeight: Theme.button
    implicitWidth: row.implicitWidth + 56
    padding: 12
    focusPolicy: Qt.TabFocus
    Accessible.role: Accessible.Button
    Accessible.name: text
    Accessible.description: more
    Accessible.onPressAction: button.click()

    background: Rectangle {
        radius: 18
        color: button.paint
        border.width: button.visualFocus ? 5 : button.look === "primary" || button.look === "white" ? 0 : Theme.rule
        border.color: button.enabled ? Theme.accent : Theme.line
    }

    contentItem: Item {
        Row {
            id: row
            anchors.centerIn: parent
            spacing: 14
            layoutDirection: button.symbolLast ? Qt.RightToLeft : Qt.LeftToRight

            Symbol {
                id: picture
                visible: button.symbol !== ""
                anchors.verticalCenter: parent.verticalCenter
                name: button.symbol
                size: Math.round(button.size * 1.1)
                tone: button.letters
            }

            Text {
                anchors.verticalCenter: parent.verticalCenter
                width: Math.min(implicitWidth, button.availableWidth - (picture.visible ? picture.width + row.spacing : 0))
                text: button.more === "" ? button.text : button.text + "：" + button.more
                textFormat: Text.PlainText
                font.pixelSize: button.size
                font.weight: button.look === "primary" || button.look === "white" ? Font.Bold : Font.Medium
                fontSizeMode: Text.HorizontalFit
                minimumPixelSize: 26
                color: button.letters
            }
        }
    }
}
