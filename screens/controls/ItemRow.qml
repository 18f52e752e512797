import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import "../theme"

// One item in a list of results.
T.Button {
    id: row

    required property string code
    required property string title
    required property string department
    required property string summary
    required property string why
    required property string trouble

    Layout.fillWidth: true
    implicitHeight: Math.max(132, words.implicitHeight + 40)
    focusPolicy: Qt.TabFocus
    text: title
    Accessible.role: Accessible.Button
    Accessible.name: title
    Accessible.description: trouble === "" ? summary : trouble
    Accessible.onPressAction: row.click()

    background: Rectangle {
        radius: Theme.radius
        color: row.down ? Theme.tintDown : Theme.surface
        border.width: row.visualFocus ? 5 : Theme.rule
        border.color: row.visualFocus ? Theme.accent : Theme.line
    }

    contentItem: Item {
        Column {
            id: words
            anchors.verticalCenter: parent.verticalCenter
            x: 30
            width: parent.width - 110
            spacing: 4

            Text {
                width: parent.width
                text: row.title
                textFormat: Text.PlainText
                wrapMode: Text.Wrap
                font.pixelSize: Theme.lead
                font.weight: Font.Bold
                color: Theme.ink
            }

            Text {
                width: parent.width
                text: row.trouble !== "" ? row.trouble : row.why !== "" ? qsTr("也叫：%1").arg(row.why) : row.department
                textFormat: Text.PlainText
                wrapMode: Text.Wrap
                font.pixelSize: Theme.caption
                color: row.trouble !== "" ? Theme.warn : Theme.inkSoft
            }
        }

        Symbol {
            anchors.right: parent.right
            anchors.rightMargin: 26
            anchors.verticalCenter: parent.verticalCenter
            size: 48
            name: "chevron-right"
            tone: Theme.accent
        }
    }
}
