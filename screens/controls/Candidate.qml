import QtQuick
import QtQuick.Templates as T
import CitizensWindow
import "../theme"

T.Button {
    id: candidate

    required property int position
    required property string words
    property bool first: position === 0

    width: Math.max(84, label.implicitWidth + 44) // as in keyboard.grid_pages
    focusPolicy: Qt.NoFocus
    text: words
    onClicked: Keyboard.choose(candidate.position)
    Accessible.role: Accessible.Button
    Accessible.name: words
    Accessible.description: qsTr("候选")
    Accessible.onPressAction: candidate.click()

    background: Rectangle {
        radius: 12
        color: candidate.down ? Theme.keyDown : candidate.first ? Theme.tint : Theme.key
    }

    contentItem: Item {
        Text {
            id: label
            anchors.centerIn: parent
            text: candidate.words
            textFormat: Text.PlainText
            font.pixelSize: 46
            font.weight: candidate.first ? Font.Bold : Font.Normal
            color: candidate.first ? Theme.accent : Theme.ink
        }
    }
}
