import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../theme"

// 放上身份证，直接开始; after the card was read, who is here.
Rectangle {
    id: hero

    readonly property bool known: HomeModel.personName !== ""
    readonly property bool unfinished: HomeModel.unfinished !== ""

    implicitHeight: Math.max(220, grid.implicitHeight + 64)
    radius: 26
    color: Theme.primary

    TapHandler {
        enabled: !hero.known
        onTapped: HomeModel.start()
    }

    GridLayout {
        id: grid
        anchors.fill: parent
        anchors.margins: 32
        anchors.leftMargin: 42
        anchors.rightMargin: 42
        columns: Theme.portrait ? 3 : 1
        columnSpacing: 34
        rowSpacing: 14

        Symbol {
            visible: Theme.portrait || !(Display.large || Chrome.inSession)
            size: Theme.portrait ? 116 : 96
            name: hero.unfinished ? "pencil" : "id"
            tone: Theme.primaryInk
        }

        ColumnLayout {
            Layout.fillWidth: true
            spacing: 6

            Label {
                Layout.fillWidth: true
                text: hero.unfinished ? qsTr("上次没办完：%1").arg(HomeModel.unfinished) : hero.known ? qsTr("身份证已读取") : qsTr("放上身份证，直接开始")
                font.pixelSize: Math.round(46 * (Display.large ? 1.15 : 1))
                strong: true
                color: Theme.primaryInk
            }

            Label {
                visible: Theme.portrait || (hero.unfinished ? !Display.large : hero.known) || !(Display.large && Chrome.inSession)
                Layout.fillWidth: true
                text: hero.unfinished ? qsTr("填过的都在，可以接着办") : hero.known ? HomeModel.personNumber : qsTr("读卡后列出能办的事，少填一半")
                font.pixelSize: Math.round(30 * Theme.scale)
                color: Theme.primaryInk
            }
        }

        GridLayout {
            columns: Theme.portrait ? 1 : 2
            columnSpacing: 16
            rowSpacing: 16

            PushButton {
                Layout.preferredHeight: Theme.portrait ? 100 : 88
                Layout.preferredWidth: hero.unfinished && !Theme.portrait ? 230 : hero.known ? 290 : 236
                look: "white"
                symbol: hero.unfinished ? "arrow-right" : hero.known ? "progress-check" : "hand-click"
                size: 38
                text: hero.unfinished ? qsTr("接着办") : hero.known ? qsTr("我的办件") : qsTr("开始")
                onClicked: hero.unfinished ? HomeModel.resume() : hero.known ? HomeModel.openMySpace("applications") : HomeModel.start()
            }

            PushButton {
                visible: hero.unfinished
                Layout.preferredHeight: Theme.portrait ? 84 : 88
                Layout.preferredWidth: Theme.portrait ? 290 : 190
                look: "white"
                size: 34
                text: qsTr("不要了")
                onClicked: HomeModel.discard()
            }
        }
    }
}
