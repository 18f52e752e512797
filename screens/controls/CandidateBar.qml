pragma ComponentBehavior: Bound
import QtQuick
import CitizensWindow
import "../theme"

Rectangle {
    id: bar

    radius: 14
    color: Theme.key
    border.width: 2
    border.color: Theme.line

    Text {
        visible: list.count === 0
        anchors.left: parent.left
        anchors.leftMargin: 26
        anchors.verticalCenter: parent.verticalCenter
        text: Keyboard.typed === "" ? qsTr("点下面的字母打拼音，再在这里选字") : qsTr("没有这个音，请检查拼音")
        font.pixelSize: 30
        color: Theme.inkSoft
    }

    ListView {
        id: list
        anchors.fill: parent
        anchors.margins: 6
        anchors.rightMargin: more.visible ? more.width + 8 : 6
        orientation: ListView.Horizontal
        boundsBehavior: Flickable.StopAtBounds
        clip: true
        spacing: 2
        model: Keyboard.candidates
        cacheBuffer: 0
        Accessible.role: Accessible.LayeredPane
        Accessible.name: qsTr("候选")

        delegate: Candidate {
            height: ListView.view ? ListView.view.height : 0
        }

        Connections {
            target: Keyboard

            function onChanged(): void {
                list.positionViewAtBeginning()
            }
        }
    }

    KeyCap {
        id: more
        visible: list.count > 4 || Keyboard.expanded
        anchors.right: parent.right
        anchors.top: parent.top
        anchors.bottom: parent.bottom
        anchors.margins: 4
        width: 100
        look: "function"
        symbol: Keyboard.expanded ? "chevron-up" : "chevron-down"
        spoken: Keyboard.expanded ? qsTr("收起候选") : qsTr("更多候选")
        onClicked: Keyboard.toggleExpanded()
    }
}
