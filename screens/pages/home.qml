pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

Item {
    id: page

    // within reach: as much air above as the tiles leave
    readonly property real gap: Display.reach ? Math.max(0, Theme.reachGap - (tiles.count > 6 ? 150 : 60) - (Display.large ? 260 : 0)) : 0
    readonly property bool known: HomeModel.personName !== ""

    GridLayout {
        anchors.fill: parent
        anchors.leftMargin: Theme.margin
        anchors.rightMargin: Theme.margin
        anchors.topMargin: page.gap + 26
        anchors.bottomMargin: 26
        columns: Theme.portrait ? 1 : 2
        columnSpacing: 40
        rowSpacing: 22

        ColumnLayout {
            Layout.fillWidth: Theme.portrait
            Layout.preferredWidth: Theme.portrait ? -1 : 560
            Layout.maximumWidth: Theme.portrait ? -1 : 560
            Layout.fillHeight: !Theme.portrait
            spacing: 22

            RowLayout {
                Layout.fillWidth: true
                spacing: 20

                Label {
                    Layout.fillWidth: true
                    text: page.known ? qsTr("%1，您好").arg(HomeModel.personName) : Theme.portrait ? qsTr("您好，今天想办什么事？") : qsTr("您好，今天\n想办什么事？")
                    font.pixelSize: Theme.portrait ? Math.round(60 * (Display.large && !Chrome.inSession ? 1.2 : 1)) : Chrome.inSession ? 52 : 60
                    strong: true
                    lineHeight: 0.95
                    Accessible.role: Accessible.Heading
                    Accessible.name: text.replace("\n", "")
                }

                PushButton {
                    visible: Chrome.inSession
                    implicitHeight: 88
                    implicitWidth: 190
                    symbol: "logout"
                    size: 34
                    text: qsTr("退出")
                    onClicked: Chrome.finish()
                }
            }

            // lying, there is no room for both; a card that cannot be used need not be asked for
            HomeHero {
                id: hero
                visible: Theme.portrait || !HomeModel.notice.present
                Layout.fillWidth: true
                Layout.fillHeight: !Theme.portrait
            }

            NoticeBar {
                Layout.fillWidth: true
                notice: HomeModel.notice
            }

            Item {
                visible: !hero.visible
                Layout.fillHeight: true
            }

            GridLayout {
                Layout.fillWidth: true
                columns: Theme.portrait ? 2 : 1
                columnSpacing: 20
                rowSpacing: 16

                SearchBar {
                    Layout.fillWidth: true
                }

                TimePill {
                    Layout.fillWidth: !Theme.portrait
                }
            }
        }

        ColumnLayout {
            Layout.fillWidth: true
            Layout.fillHeight: true
            spacing: 22

            GridLayout {
                Layout.fillWidth: true
                Layout.fillHeight: true
                columns: Theme.portrait ? 2 : Display.large ? 2 : tiles.count > 6 ? 4 : 3
                columnSpacing: Theme.gutter
                rowSpacing: Theme.gutter
                uniformCellWidths: true
                uniformCellHeights: true

                Repeater {
                    id: tiles
                    model: HomeModel.tiles

                    HomeTile {
                        required property int index

                        // standing, an odd one at the end is as wide as the two above it
                        Layout.columnSpan: Theme.portrait && index === tiles.count - 1 && index % 2 === 0 ? 2 : 1
                    }
                }
            }

            Flow {
                visible: !(Display.reach && Theme.portrait)
                Layout.fillWidth: true
                spacing: 14

                Repeater {
                    model: Chrome.devices

                    Chip {
                        required property string words
                        required tone
                        required symbol

                        text: words
                        maximumWidth: page.width - 2 * Theme.margin
                    }
                }
            }
        }
    }
}
