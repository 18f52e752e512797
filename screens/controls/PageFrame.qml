pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../theme"

// The skeleton of every page: steps, title and remaining time, content, buttons; room for the keyboard.
Item {
    id: frame

    property string title: ""
    property string over: "" // small line above the title
    property NoticeModel notice: null
    property bool showExit: true
    property bool showBack: false
    property bool showHome: false
    property string primaryText: ""
    property string primaryMore: ""
    property string primarySymbol: ""
    property bool primaryEnabled: true
    property alias spacing: area.spacing
    property alias centred: area.centred // content that is one picture and a few words
    default property alias contents: area.contents
    readonly property alias contentArea: area
    readonly property bool beside: Keyboard.visible && !Theme.portrait
    readonly property real columnWidth: beside ? width - Theme.keyboardWidth - Theme.margin - Theme.gutter : width - 2 * Theme.margin

    signal primary

    Item {
        id: gap
        width: parent.width
        height: Keyboard.visible ? 0 : Theme.reachGap
    }

    Steps {
        id: steps
        visible: Chrome.stepNumber >= 0
        words: Chrome.steps
        position: Chrome.stepNumber
        anchors.top: gap.bottom
        anchors.topMargin: Theme.portrait ? 24 : 16
        anchors.horizontalCenter: parent.horizontalCenter
        width: parent.width - 40
        height: visible ? implicitHeight : 0
    }

    Item {
        id: head
        anchors.top: steps.bottom
        anchors.topMargin: steps.visible ? Theme.portrait && !Keyboard.visible ? 20 : 8 : 0
        x: Theme.margin
        width: parent.width - 2 * Theme.margin
        height: Math.max(titles.height, pill.visible ? pill.height : 0) + (!Keyboard.visible ? 20 : Theme.portrait && !Display.large ? 16 : 8)

        Flow {
            id: titles
            width: (frame.beside ? frame.columnWidth : parent.width) - (pill.visible && !frame.beside ? pill.width + Theme.gutter : 0)
            topPadding: 4
            spacing: Theme.portrait ? 0 : 24

            Label {
                visible: text !== "" && Theme.portrait
                width: parent.width
                text: frame.over
                font.pixelSize: Theme.caption
                color: Theme.inkSoft
            }

            Label {
                id: heading
                width: Math.min(implicitWidth, parent.width)
                text: frame.title
                font.pixelSize: Keyboard.visible ? Theme.title : Theme.headline
                strong: true
                Accessible.role: Accessible.Heading
            }

            Label {
                visible: text !== "" && !Theme.portrait && !(frame.beside && Display.large)
                width: Math.min(implicitWidth, parent.width)
                height: Math.max(implicitHeight, heading.implicitHeight)
                verticalAlignment: Text.AlignVCenter
                text: frame.over
                font.pixelSize: Theme.caption
                color: Theme.inkSoft
            }
        }

        TimePill {
            id: pill
            anchors.right: parent.right
            y: 4
        }
    }

    ColumnLayout {
        anchors.top: head.bottom
        anchors.bottom: parent.bottom
        anchors.bottomMargin: Keyboard.visible && Theme.portrait ? Theme.keyboardHeight : 0
        x: Theme.margin
        width: frame.columnWidth
        spacing: Theme.gutter

        Loader {
            Layout.fillWidth: true
            Layout.preferredHeight: item ? (item as Item).implicitHeight : 0
            active: frame.notice !== null && frame.notice.present
            visible: active

            sourceComponent: NoticeBar {
                notice: frame.notice
            }
        }

        ScrollArea {
            id: area
            Layout.fillWidth: true
            Layout.fillHeight: true
        }

        RowLayout {
            Layout.fillWidth: true
            Layout.fillHeight: false
            Layout.preferredHeight: Theme.portrait && !Keyboard.visible ? 120 : Theme.button
            Layout.bottomMargin: Theme.portrait ? 26 : 18
            spacing: 20

            PushButton {
                visible: frame.showExit
                Layout.fillHeight: true
                Layout.preferredWidth: frame.beside ? 180 : 220
                symbol: frame.beside && Display.large ? "" : "logout"
                text: qsTr("退出")
                onClicked: Chrome.finish()
            }

            PushButton {
                visible: frame.showHome
                Layout.fillHeight: true
                Layout.preferredWidth: 300
                Layout.fillWidth: frame.primaryText === "" && !frame.showBack
                symbol: "home"
                text: qsTr("返回首页")
                onClicked: Chrome.home()
            }

            PushButton {
                visible: frame.showBack
                Layout.fillHeight: true
                Layout.preferredWidth: frame.beside ? 210 : 280
                Layout.fillWidth: frame.primaryText === ""
                symbol: frame.beside ? "" : "arrow-left"
                text: qsTr("上一步")
                onClicked: Chrome.back()
            }

            PushButton {
                visible: frame.primaryText !== ""
                Layout.fillHeight: true
                Layout.fillWidth: true
                look: "primary"
                symbol: frame.primarySymbol
                text: frame.primaryText
                more: frame.beside ? "" : frame.primaryMore
                enabled: frame.primaryEnabled
                onClicked: {
                    Keyboard.flush()
                    frame.primary()
                }
            }
        }
    }
}
