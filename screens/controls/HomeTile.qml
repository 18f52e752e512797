import QtQuick
import QtQuick.Layouts
import QtQuick.Templates as T
import CitizensWindow
import "../theme"

T.Button {
    id: tile

    required property string target
    required property string title
    required property string subtitle
    required property string symbol
    required property string trouble
    readonly property bool wide: Theme.portrait || width > 420

    Layout.fillWidth: true
    Layout.fillHeight: true
    Layout.minimumHeight: 146
    focusPolicy: Qt.TabFocus
    text: title
    onClicked: HomeModel.openTile(tile.target)
    Accessible.role: Accessible.Button
    Accessible.name: title
    Accessible.description: trouble === "" ? subtitle : trouble
    Accessible.onPressAction: tile.click()

    background: Rectangle {
        radius: 24
        color: tile.down ? Theme.tintDown : Theme.surface
        border.width: tile.visualFocus ? 5 : Theme.rule
        border.color: tile.visualFocus ? Theme.accent : Theme.line
    }

    contentItem: Item {
        Symbol {
            visible: !tile.wide && tile.trouble === ""
            anchors.right: parent.right
            anchors.top: parent.top
            anchors.margins: 34
            anchors.rightMargin: 22
            size: 40
            name: "chevron-right"
            tone: Theme.accent
        }

        GridLayout {
            anchors.fill: parent
            anchors.margins: 30
            anchors.topMargin: 10
            anchors.bottomMargin: 10
            columns: tile.wide ? 2 : 1
            columnSpacing: 24
            rowSpacing: 8

            Rectangle {
                Layout.preferredWidth: tile.height < 150 ? 88 : tile.wide && tile.height > 250 ? 128 : 112
                Layout.preferredHeight: Layout.preferredWidth
                Layout.alignment: tile.wide ? Qt.AlignVCenter : Qt.AlignBottom
                radius: 26
                color: tile.trouble === "" ? Theme.tint : Theme.warnTint
                border.width: Theme.contrast ? 2 : 0
                border.color: Theme.line

                Symbol {
                    anchors.centerIn: parent
                    size: tile.height < 150 ? 54 : tile.wide && tile.height > 250 ? 78 : 68
                    name: tile.symbol
                    tone: tile.trouble === "" ? Theme.accent : Theme.warn
                }
            }

            Column {
                Layout.fillWidth: true
                Layout.alignment: tile.wide ? Qt.AlignVCenter : Qt.AlignTop
                spacing: 2

                Text {
                    width: parent.width
                    text: tile.title
                    textFormat: Text.PlainText
                    font.pixelSize: Theme.tile
                    font.weight: Font.Bold
                    fontSizeMode: Text.HorizontalFit
                    minimumPixelSize: 34
                    color: Theme.ink
                }

                Text {
                    width: parent.width
                    text: tile.trouble === "" ? tile.subtitle : tile.trouble
                    textFormat: Text.PlainText
                    wrapMode: Text.Wrap
                    maximumLineCount: 3
                    font.pixelSize: Display.large ? Theme.caption : tile.wide && tile.height > 250 ? 30 : 27
                    color: tile.trouble === "" ? Theme.inkSoft : Theme.warn
                }
            }
        }
    }
}
