import QtQuick
import QtQuick.Templates as T
import CitizensWindow
import "../theme"

// Looks like a search field, opens the search page.
T.Button {
    id: bar

    implicitHeight: 96
    focusPolicy: Qt.TabFocus
    text: qsTr("搜索")
    onClicked: HomeModel.search()
    Accessible.role: Accessible.Button
    Accessible.name: text
    Accessible.description: hint.text
    Accessible.onPressAction: bar.click()

    background: Rectangle {
        radius: 48
        color: bar.down ? Theme.tintDown : Theme.surface
        border.width: Theme.rule
        border.color: Theme.border
    }

    contentItem: Item {
        Symbol {
            id: glass
            x: 32
            anchors.verticalCenter: parent.verticalCenter
            size: 44
            name: "search"
            tone: Theme.accent
        }

        Text {
            id: hint
            anchors.left: glass.right
            anchors.leftMargin: 20
            anchors.right: go.left
            anchors.rightMargin: 12
            anchors.verticalCenter: parent.verticalCenter
            text: width > 420 ? qsTr("找要办的事，如：居住证、社保证明") : qsTr("找要办的事")
            font.pixelSize: Math.min(Theme.body, 34)
            fontSizeMode: Text.HorizontalFit
            minimumPixelSize: 26
            color: Theme.inkSoft
        }

        Rectangle {
            id: go
            anchors.right: parent.right
            anchors.rightMargin: 8
            anchors.verticalCenter: parent.verticalCenter
            width: 148
            height: 80
            radius: 40
            color: Theme.primary

            Text {
                anchors.centerIn: parent
                text: bar.text
                font.pixelSize: 34
                font.weight: Font.Bold
                color: Theme.primaryInk
            }
        }
    }
}
